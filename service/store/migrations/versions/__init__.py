"""service/store/migrations/versions"""
