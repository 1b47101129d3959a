// The storage account of the state: the tables of the app, and nothing of a host. Reached by identity alone.
// Without a virtual network the account is reachable from anywhere; who may do anything there is decided by role.

@description('Suffix that makes names unique.')
@minLength(13)
@maxLength(13)
param token string

@description('Region.')
param location string

@description('Tags of the environment.')
param tags object

@description('Redundancy of the account.')
param redundancy string

@description('Object ids of the apps\' identities.')
param principalIds string[]

var tableNames = [
  'Budgets'
  'ByEnd'
  'ByState'
  'Claims'
  'Outbox'
  'Prices'
  'Renewals'
  'RequestIndex'
  'Requests'
  'Runs'
  'Slots'
  'Subscriptions'
  'Tenants'
  'Visits'
  'Wakes'
  'WebhookIds'
]

// Built-in roles reference: Storage Table Data Contributor. Of the whole account, which holds nothing else.
var tableDataContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: 'st${token}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: redundancy
  }
  properties: {
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }
}

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2024-01-01' = {
  parent: account
  name: 'default'
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2024-01-01' = [
  for tableName in tableNames: {
    parent: tableService
    name: tableName
  }
]

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in principalIds: {
    name: guid(account.id, principalId, tableDataContributor)
    scope: account
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', tableDataContributor)
    }
  }
]

@description('Name of the account, for backup and restore.')
output accountName string = account.name

@description('Table endpoint of the state.')
output tablesEndpoint string = account.properties.primaryEndpoints.table
